"""The named figures of an experiment, drawn and saved."""
