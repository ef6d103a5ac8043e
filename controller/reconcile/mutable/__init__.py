"""The life-cycle of resources that AWS changes in place, as far as their kinds share it."""
