"""How well a judge agrees with people, for any file of labels."""
