"""What people do to a state: certificates, credits, models, authorisations, statements."""
