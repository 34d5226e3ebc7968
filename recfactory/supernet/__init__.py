"""One model that holds the shared weights of every path of a space, and what is done with it: training it on sampled
paths, running and extracting single paths, scoring them."""
