"""From a trained checkpoint to the policy that serves: gates after training, versions, alias."""
