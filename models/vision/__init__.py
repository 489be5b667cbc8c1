"""Pictures of 32 x 32 pixels, and the tiles of a camera's frame, told apart by a small attention net."""
