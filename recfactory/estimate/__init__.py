"""`recfactory estimate`: what a model costs on machines, as figures, a table and a plot."""
