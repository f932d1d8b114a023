//! A CSV file as its records, so that a fault can be put into one field and every other byte stays.

/// A CSV file.
#[derive(Clone)]
pub struct File {
    /// The header and then the records, each as the texts of its fields as they are written, quotes included.
    pub records: Vec<Vec<String>>,
}

impl File {
    /// Reads a file as the published data is written: commas, quotes that are doubled inside of quotes, LF.
    pub fn read(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        for letter in text.chars() {
            match letter {
                ',' if !quoted => record.push(std::mem::take(&mut field)),
                '\n' if !quoted => {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
                _ => {
                    quoted ^= letter == '"';
                    field.push(letter);
                }
            }
        }
        assert!(record.is_empty() && field.is_empty(), "the file ends with a line end");
        Self { records }
    }

    /// The file as bytes again.
    pub fn bytes(&self) -> Vec<u8> {
        self.records.iter().map(|record| record.join(",") + "\n").collect::<String>().into_bytes()
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> usize {
        self.records[0]
            .iter()
            .position(|column| column == name)
            .unwrap_or_else(|| panic!("no column `{name}`"))
    }

    /// Writes something else into a field; records are counted from 1, as the header is number 0.
    pub fn set(&mut self, record: usize, column: &str, text: &str) {
        let column = self.column(column);
        assert_ne!(self.records[record][column], text, "the fault changes nothing");
        text.clone_into(&mut self.records[record][column]);
    }

    /// The physical line on which a record starts, from 1.
    pub fn line(&self, record: usize) -> usize {
        let breaks: usize =
            self.records[..record].iter().flatten().map(|field| field.matches('\n').count()).sum();
        record + 1 + breaks
    }
}
