"""Files on one side, nouns on the other: packages, device snapshots, build configs. The only room that imports pydantic."""
