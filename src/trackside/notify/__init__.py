"""Messages on what changed, and the way they are sent. Needs the extra ``notify`` for sending only."""
