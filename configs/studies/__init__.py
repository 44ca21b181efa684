"""Studies: comparisons with statistics, each a base config, variants and seeds."""
