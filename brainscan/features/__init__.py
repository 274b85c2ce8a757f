"""What the features of a dictionary mean: examples, logit effects, labels with scores, search.

One survey runs the subject; everything after it reads the survey's folder and needs no model. This room
refuses to know how dictionaries are trained and how pages look.
"""
