"""Random training graphs, and a plain interpreter that says what freezing them must give."""
