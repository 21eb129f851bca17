"""What both runners share (attempts, intake, dead letters, poison limits), and the worker."""
