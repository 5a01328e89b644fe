"""The command `targetenv`: one module for each verb, imported when it is used."""
