"""Push instead of poll: subscribe to the hubs that feeds advertise (W3C WebSub), and take what they send."""
