"""Removes from a trained path what it can do without: learned masks, or magnitudes beside them.

What is left of a path is a `Cut`: the channels that each part makes, and which of them each part reads
(`cut.py`). `anatomy.py` prices a cut and says which places of the path's matrices are left, `groups.py` what
can be removed together and how much it is worth, `choose.py` removes the least of it. `build.py` makes the
smaller Keras model, `masks.py` the one that learns its masks, `prune.py` does the rounds. `workload.py` says
what a cut asks of a machine.
"""
