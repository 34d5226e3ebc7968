import numpy as np

from recfactory.search.candidates import Paths
from recfactory.search.rehearsal import SPACE
from recfactory.space.genes import decode

PATHS = Paths(SPACE)
ROWS = PATHS.sample(50, np.random.default_rng(0))


def test_candidates_are_paths_of_the_space():
    rng = np.random.default_rng(1)
    for rows in (ROWS, PATHS.mutate(ROWS, rng, 3), PATHS.crossover(ROWS, ROWS[::-1], rng)):
        assert len(decode(SPACE, rows)) == 50


def test_genes_and_measures_are_those_of_the_paths():
    genes, measured = PATHS.genes(ROWS), PATHS.measure(ROWS)
    for place, path in enumerate(decode(SPACE, ROWS)):
        assert tuple(genes[place]) == path.genes
        assert (measured["macs"][place], measured["params"][place]) == (path.macs, path.params)


def test_there_is_a_symbol_for_each_gene_and_one_for_none():
    genes = PATHS.genes(PATHS.sample(5000, np.random.default_rng(2)))
    assert tuple(genes.max(axis=0) + 1) == PATHS.symbols
    assert genes.min() == 0
