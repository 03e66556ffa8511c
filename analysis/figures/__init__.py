"""Named figures of an experiment: what each shows and requires, drawn and saved."""
