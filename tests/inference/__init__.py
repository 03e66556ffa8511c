"""Calibration of posteriors that `sbi` infers from simulations (`make test-inference`)."""
