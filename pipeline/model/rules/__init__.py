"""Plasticity rules, a module each; `pipeline.model.plasticity` says what a rule consists of."""
