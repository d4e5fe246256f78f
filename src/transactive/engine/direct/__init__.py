"""Direct trading in a run on recorded data: this machine plays all nodes, on a network of its own."""
