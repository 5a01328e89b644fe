"""Nouns: what everything else in targetenv talks about. Frozen, slotted, standard library only.

Devices *offer*, artifacts *require*; a match of the two is a `Verdict`.
"""
