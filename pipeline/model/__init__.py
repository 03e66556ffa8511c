"""The model: parameters, plasticity, input processes and the reference integration."""
