package main

// causes are the differences that were looked into. In all of them this suite is the stricter one, or both say FAILED and
// differ in what they say of the closing.
var causes = []known{
	{
		testees: []string{"accepts-a-larger-window-than-was-asked-for", "leaves-parameters-out-of-its-answer"},
		cases:   []string{"13.2.*", "13.3.*", "13.4.*", "13.5.*", "13.6.*", "13.7.*"},
		cause: "The original does not look whether the answer grants what was asked for. RFC 7692 §7.1 has the client fail " +
			"the connection.",
	},
	{
		testees: []string{"cuts-off-the-end-of-compressed-messages", "marks-plain-messages-as-compressed"},
		cases:   []string{"12.*", "13.*"},
		cause: "Both say FAILED. The original inflates piece by piece, and so may fail the connection for what text there is, " +
			"or wait for more, before it finds the data broken.",
	},
}
