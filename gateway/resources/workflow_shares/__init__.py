"""Links that let others see, run or edit one saved workflow."""
