package suite

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"unicode/utf8"
)

// The sizes of samples: they are a multiple of all lengths of messages but the longest, and seven times a full window, so that
// long messages come back to the same place in a sample after seven of them.
const (
	longestSlice = 128 * kib
	sampleSize   = 7 * 32 * kib
	// cell is what all lengths are multiples of: no character of a text sample lies across its borders, so that every slice
	// is valid UTF-8.
	cell = 16
)

// sample is data to be compressed. It is the same at every run. Messages are its slices, one behind the other; behind the end
// it begins again.
type sample struct {
	about  string
	binary bool
	octets func() []byte
}

// The samples of group 12, in its order. Group 13 has the first alone.
var samples = []*sample{
	newSample("records in JSON", false, records),
	newSample("a bitmap", true, bitmap),
	newSample("prose in several languages", true, prose),
	newSample("a page of HTML", false, page),
	newSample("a document that is compressed already", true, document),
}

func newSample(about string, binary bool, make func(*rand.Rand) []byte) *sample {
	return &sample{about, binary, sync.OnceValue(func() []byte {
		b := make(rand.New(rand.NewPCG(7692, 6455)))[:sampleSize]
		return append(b, b[:longestSlice]...)
	})}
}

// message returns message i of those with n octets. It is not to be changed.
func (s *sample) message(i, n int) []byte {
	from := i * n % sampleSize
	return s.octets()[from : from+n : from+n]
}

// round is the number of messages of n octets after which they repeat.
func (s *sample) round(n int) int {
	a, b := sampleSize, n
	for b != 0 {
		a, b = b, a%b
	}
	return sampleSize / a
}

// textWriter writes a text with fillers in it, so that no character lies across cells.
type textWriter struct{ b []byte }

// printf adds text until there is enough.
func (w *textWriter) printf(format string, args ...any) {
	for _, c := range fmt.Sprintf(format, args...) {
		for len(w.b)%cell+utf8.RuneLen(c) > cell {
			w.b = append(w.b, ' ')
		}
		w.b = utf8.AppendRune(w.b, c)
	}
}

func (w *textWriter) full() bool { return len(w.b) >= sampleSize }

// vocabulary has words of languages that use more than ASCII.
var vocabulary = strings.Fields(`
	Brücke Dämmerung Straße Schlüssel größer während Gespräch öffnet langsam Fenster und der die nicht wieder hört
	rivière forêt élève naïve garçon déjà même sœur où lumière été bientôt avec sans être chaque leçon
	żółty źródło książka ręka północ świat ćwiczenie mąż jeszcze zawsze człowiek droga miasto
	čaj řeka žlutý kůň šťastný dům vítr město svět říjen
	θάλασσα άνεμος δρόμος ήλιος νύχτα και το φως λόγος πέτρα
	море ветер дорога вечер окно человек город снова никогда и не звезда
	海 山 風 道 夜 光 言葉 静か 町 人
	año mañana corazón también niño jardín pájaro canción
	tårn skygge høst blå ørret elven går stille
	güneş çiçek ışık dağ öğle yağmur`)

// word returns a word, and those at the beginning of the list more often.
func word(r *rand.Rand) string {
	return vocabulary[min(r.IntN(len(vocabulary)), r.IntN(len(vocabulary)))]
}

// prose is human language by its letters, if not by its sense.
func prose(r *rand.Rand) []byte {
	var w textWriter
	for !w.full() {
		for range 3 + r.IntN(5) {
			w.printf("%s", word(r))
			for range 4 + r.IntN(9) {
				w.printf("%s%s", []string{" ", " ", " ", " ", ", "}[r.IntN(5)], word(r))
			}
			w.printf("%s", []string{". ", ". ", "! ", "? ", "… "}[r.IntN(5)])
		}
		w.printf("\n\n")
	}
	return w.b
}

// records is what an interface may answer: many objects of the same form.
func records(r *rand.Rand) []byte {
	var w textWriter
	w.printf("{\n   \"stations\": [\n")
	for n := 1; !w.full(); n++ {
		w.printf("      {\n         \"number\": %d,\n         \"name\": \"%s-%s\",\n         \"active\": %v,\n", n, word(r), word(r), n%5 > 0)
		w.printf("         \"position\": {\"latitude\": %d, \"longitude\": %d},\n", r.IntN(180)-90, n%360)
		w.printf("         \"readings\": [\n")
		for hour := range 12 {
			w.printf("            {\"time\": \"2024-03-%02dT%02d:00:00Z\", \"temperature\": %d, \"pressure\": 10%02d, \"wind\": null}%s\n",
				n%28+1, 2*hour, 5+hour/2, n%30, []string{",", ""}[hour/11])
		}
		w.printf("         ]\n      },\n")
	}
	return w.b
}

// page is a table as a program writes it.
func page(r *rand.Rand) []byte {
	var w textWriter
	w.printf("<!DOCTYPE html>\n<html lang=\"mul\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n<body>\n<table>\n", word(r))
	for n := 1; !w.full(); n++ {
		w.printf("  <tr id=\"row%d\" class=\"%s\">\n    <td class=\"number\">%d</td>\n", n, []string{"even", "odd"}[n%2], n)
		w.printf("    <td class=\"name\"><a href=\"/list/item?id=%d&amp;view=full\" title=\"%s\">%s %s</a></td>\n", n, word(r), word(r), word(r))
		w.printf("    <td class=\"checks\"><span>yes</span> <span>yes</span> <span>no</span></td>\n    <td class=\"kind\"><em>unchanged</em></td>\n")
		w.printf("    <td class=\"state\"><span class=\"mark %s\">&nbsp;</span></td>\n  </tr>\n", []string{"good", "good", "good", "bad"}[r.IntN(4)])
	}
	return w.b
}

// bitmap is a BMP file with a byte a pixel: a sky with grain in it, the sun, and a plain below.
func bitmap(r *rand.Rand) []byte {
	const width, height, palette = 512, 448, 256
	b := make([]byte, 0, sampleSize+2*kib)
	b = append(b, "BM"...)
	le := func(numbers ...uint32) {
		for _, n := range numbers {
			b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		}
	}
	le(54+4*palette+width*height, 0, 54+4*palette, 40, width, height, 8<<16|1, 0, width*height, 2835, 2835, palette, palette)
	for i := range uint32(palette) {
		le(i<<16 | i<<8 | i)
	}
	for y := range height {
		for x := range width {
			shade := 60 + y/4
			switch dx, dy := x-350, y-300; {
			case dx*dx+dy*dy < 70*70:
				shade = 250
			case y < 150:
				shade = 40 + (x/8+y/8)%2*20
			case x < 96:
				shade += r.IntN(16)
			}
			b = append(b, byte(shade))
		}
	}
	return b
}

// document looks like a PDF file: streams that cannot be compressed any further, and some structure around them.
func document(r *rand.Rand) []byte {
	b := []byte("%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
	for n := 1; len(b) < sampleSize; n++ {
		length := 2000 + r.IntN(6000)
		b = fmt.Appendf(b, "%d 0 obj\n<< /Type /XObject /Length %d /Filter /FlateDecode >>\nstream\n", n, length)
		for range length {
			b = append(b, byte(r.Uint32()))
		}
		b = append(b, "\nendstream\nendobj\n"...)
	}
	return b
}
