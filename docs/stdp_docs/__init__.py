"""The pages of the documentation: those of `docs/`, and those generated from the registries.

`python -m stdp_docs FOLDER` writes the sources that Sphinx reads; see `stdp_docs.staging`.
"""
