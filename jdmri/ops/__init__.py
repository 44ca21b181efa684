"""Physics as pure functions of arrays: no Flax, no configs."""
