"""Real servers on loopback or unix sockets, each started without root, Docker or a set-up."""
