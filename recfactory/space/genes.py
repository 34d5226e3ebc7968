"""Paths as rows of integers, so that many paths are one array.

A row holds, block by block: dense_operator, sparse_operator, dense_dim, sparse_dim (places in the space's
tuples), left, right, dense_to_sparse, fm, then a flag per source for dense_sources and one for sparse_sources.
"""
