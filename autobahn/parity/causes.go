package main

// causes are the differences that were looked into.
var causes []known
