"""The command `stdp`: what `pipeline` and `analysis` do, as subcommands of one program."""
