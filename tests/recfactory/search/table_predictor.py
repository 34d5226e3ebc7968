"""A predictor whose loss is a sum of fixed random numbers, one for each gene."""

import numpy as np


class TablePredictor:
    kendall = 0.5

    def __init__(self, symbols, seed=0):
        self.table = np.random.default_rng(seed).normal(size=(len(symbols), max(symbols)))
        self.asked = 0

    def predict(self, genes):
        self.asked += len(genes)
        return self.table[np.arange(genes.shape[1]), genes].sum(axis=1)


def fit_table(symbols, genes, losses):
    """Fits one number to each gene, by ridge regression."""
    held = np.zeros((len(genes), len(symbols), max(symbols)))
    held[np.arange(len(genes))[:, None], np.arange(len(symbols)), genes] = 1
    held = held.reshape(len(genes), -1)
    weights = held.T @ np.linalg.solve(held @ held.T + np.eye(len(genes)), losses - losses.mean())
    fitted = TablePredictor(symbols)
    fitted.table = weights.reshape(len(symbols), -1)
    return fitted
