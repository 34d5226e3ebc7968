"""The operators of the search space as Keras layers, one file each.

Numbers are `(batch, width)`, tokens `(batch, embedding_dim, tokens)`: with tokens on the last axis a layer
over tokens is a plain matrix product. Each layer's arithmetic is its `compute`; the layer itself is the fixed
form with weights of its own, `elastic.py` the form that slices them out of the supernet's.
"""
