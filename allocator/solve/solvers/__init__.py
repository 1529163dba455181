"""The solvers, their choice and the refinement of their answers."""
