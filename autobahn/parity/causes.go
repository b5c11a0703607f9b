package main

// causes are the differences that were looked into.
var causes = []known{
	{
		testees: []string{"sends-lengths-in-64-bits"},
		cases: []string{
			"12.2.10", "12.2.15", "12.2.16", "12.2.17", "12.2.18",
			"12.5.10", "12.5.15", "12.5.16", "12.5.17", "12.5.18",
		},
		cause: "A message of 128 KiB that takes more than 65,535 bytes when it is compressed has its length in 64 bits rightly. Which " +
			"do depends on the text, and the two suites have texts of their own.",
	},
	{
		testees: []string{"cuts-off-the-end-of-compressed-messages", "marks-plain-messages-as-compressed"},
		cases:   []string{"12.*", "13.*"},
		cause: "Both say FAILED. The original inflates piece by piece, and so may fail the connection for what text there is, " +
			"or wait for more, before it finds the data broken.",
	},
	{
		testees: []string{"says-that-it-masks-and-does-not"},
		cases:   []string{"*"},
		cause: "The masking key, which is chance, decides what becomes of the payload, and of the status code of a close frame: both " +
			"suites waver.",
	},
	{
		testees: []string{"pings-while-a-frame-comes-in"},
		cases:   []string{"6.4.3", "6.4.4"},
		cause: "The original sends its pong within a frame that it has half sent, where it is payload, and blames the peer for what " +
			"becomes of the text.",
	},
}
