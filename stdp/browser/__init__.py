"""What the pages in a browser share: the local server, the layout, panels, the work behind them."""
