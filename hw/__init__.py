"""PIM and baseline hardware estimators. This package imports none of the others."""
