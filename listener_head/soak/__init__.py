"""The whole graph on a speaker who never stops, measured as it runs: does anything drift?"""
