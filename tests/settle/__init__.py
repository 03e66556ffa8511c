"""Campaign on the criterion of stationarity: what it calls settled is run ten times longer."""
