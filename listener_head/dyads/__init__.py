"""Speaker-listener data: synthetic speech, talking faces and listeners that answer them."""
