"""Harbor's judge: a small Llama trained from scratch to cite R4 and then to answer A, B or tie."""
