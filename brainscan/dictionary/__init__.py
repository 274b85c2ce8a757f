"""Dictionaries: learned sets of features over sites, one kind a file, one trainer, one judge.

This room refuses to know models and texts: it is handed activations. Only ``quality`` runs a subject,
to see what replacing a site by its reconstruction does to the predictions.

``dictionary`` is the record and its orientation, ``protocol`` the promise of a kind, ``conformance`` its
check, ``kernels`` the sparse CPU arithmetic, ``train`` the one trainer, ``routed`` the encoder for wide
dictionaries, ``quality`` the judge, ``superposition`` and ``synthetic`` the phantoms with known features.
"""
