"""What to do about failures, as shipped rules tell it. Pure."""
