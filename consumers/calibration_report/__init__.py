"""One page for a lead who was not there: what was measured of the judges, and what follows."""
