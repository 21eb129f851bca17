"""The main job, end to end, on Harbor's simulated traffic."""
