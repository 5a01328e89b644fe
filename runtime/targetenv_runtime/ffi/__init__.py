"""The foreign side: libraries bound when they are needed, calls in the shape that costs least."""
