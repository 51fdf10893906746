"""What runs in pods: who may do what there, what each step asks for, and what would be created."""
