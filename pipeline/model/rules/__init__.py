"""Built-in plasticity rules, a module each; the interface is in `pipeline.model.plasticity`."""
