"""Statistical tests of scores: pure functions of arrays, subjects as the unit."""
