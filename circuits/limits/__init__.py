"""What biology withholds, whatever the circuit: tired synapses, few stimuli, another animal every day."""
