"""What a device does that sells for a shop elsewhere: it takes the catalog in and sends its paid orders there."""
