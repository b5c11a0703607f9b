package main

// split deals the cases out to n shards, or fewer if there are not enough. Neighbours go to different shards: the long
// cases of the groups 9, 12 and 13 stand together in the list.
func split(cases []string, n int) [][]string {
	n = min(n, len(cases))
	shards := make([][]string, n)
	for i, id := range cases {
		shards[i%n] = append(shards[i%n], id)
	}
	return shards
}
