"""The kinds of treatment, one a file: in the stream, in the weights, and the plain ones that every other has to beat."""
