package main

// causes are the differences that were looked into. In all of them both suites say FAILED, and differ in what they say of the
// closing.
var causes = []known{
	{
		testees: []string{"cuts-off-the-end-of-compressed-messages", "marks-plain-messages-as-compressed"},
		cases:   []string{"12.*", "13.*"},
		cause: "Both say FAILED. The original inflates piece by piece, and so may fail the connection for what text there is, " +
			"or wait for more, before it finds the data broken.",
	},
}
