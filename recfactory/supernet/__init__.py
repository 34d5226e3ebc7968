"""One model that holds the shared weights of every path of a space: trained on sampled paths, its single
paths run, extracted and scored."""
